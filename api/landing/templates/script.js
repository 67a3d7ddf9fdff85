// Without this script every link works; it only saves typing the code, and asks before it copies.
if (navigator.clipboard) {
  const told = document.getElementById("copied");
  const copy = (text) => navigator.clipboard.writeText(text).then(
    () => { told.textContent = told.dataset.done; },
    () => {},
  );
  for (const part of document.querySelectorAll("button[hidden], .copying")) part.hidden = false;
  document.querySelector("a[data-copies]")?.setAttribute("aria-describedby", "consent");
  document.addEventListener("click", async (event) => {
    const tapped = event.target.closest("[data-copies]");
    if (!tapped) return;
    event.preventDefault();
    await copy(tapped.dataset.copies);
    if (tapped.href) location.assign(tapped.href);
  });
}
