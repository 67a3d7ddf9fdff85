// Keys of the console, and charts drawn from the tables beside them. Everything works without it.
"use strict";

const isTyping = (target) => target.closest("input, textarea, select") !== null;
let hasLeader = false;

// The queue by keyboard: j and k choose a row, Enter opens it; g and a letter open a section.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (isTyping(event.target)) return;
  if (hasLeader) {
    hasLeader = false;
    document.querySelector(`.sections a[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  if (event.key === "g") hasLeader = true;
  else if (event.key === "/") focusOn(event, "#q");
  else if (event.key === "j") chooseRow(1);
  else if (event.key === "k") chooseRow(-1);
  else if (["a", "x", "e", "n"].includes(event.key)) focusOn(event, `[data-shortcut="${event.key}"]`);
});

function focusOn(event, selector) {
  const target = document.querySelector(selector);
  if (!target) return;
  event.preventDefault();
  if (target.type === "radio") target.checked = true;
  target.focus();
  if (target.select) target.select();
}

function chooseRow(step) {
  const rows = [...document.querySelectorAll("tr[data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("chosen"));
  const next = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at]?.classList.remove("chosen");
  rows[next].classList.add("chosen");
  rows[next].querySelector("a").focus();
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A chart shows the numbers of the table that its `data-table` names; the table stays readable.
function drawChart(place) {
  const table = document.getElementById(place.dataset.table)?.querySelector("table");
  if (!table || typeof uPlot === "undefined") { place.hidden = true; return; }
  // The text as written: a table inside closed details is not rendered, and has no inner text.
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const days = rows.map((row) => Date.parse(`${row[0]}T00:00:00Z`) / 1000);
  if (rows.length < 2 || days.some(Number.isNaN)) { place.hidden = true; return; }
  const wanted = place.dataset.columns.split(",");
  const columns = wanted.map((name) => names.indexOf(name)).filter((at) => at > 0);
  const colours = ["--line-1", "--line-2", "--line-3", "--line-4"].map(colour);
  const numbers = columns.map((at) => rows.map((row) => Number(row[at].replace(/[^\d.-]/g, "")) || 0));
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const shownDays = (_, marks) => marks.map((at) => day.format(at * 1000));
  // Without a pointer on it, the legend has the sums of the time.
  const sum = (nth) => numbers[nth].reduce((all, one) => all + one, 0).toLocaleString("en");
  place.replaceChildren();
  new uPlot({
    width: place.clientWidth, height: 260, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [{ ...axis, grid: { show: false }, values: shownDays, space: 70 }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000, 1000000] }],
    series: [{ value: (_, at) => at === null ? "All days" : day.format(at * 1000), label: "Day" }, ...columns.map((at, nth) => ({
      label: names[at], stroke: colours[nth], width: 2, points: { show: rows.length < 20, size: 5 },
      fill: nth === 0 ? colour("--line-fill") : undefined,
      value: (_, number) => number === null ? sum(nth) : number.toLocaleString("en"),
    }))],
  }, [days, ...numbers], place);
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const drawCharts = () => document.querySelectorAll(".chart").forEach(drawChart);
addEventListener("load", drawCharts);
// On a phone the sections are wider than the screen: show the one that is open.
addEventListener("load", () => {
  document.querySelector(".sections [aria-current]")?.scrollIntoView({ inline: "nearest", block: "nearest" });
});
let resized;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(drawCharts, 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
