// An iPhone or iPad that asks for desktop pages calls itself a Mac, and no Mac has a touch screen.
if (navigator.userAgent.includes("Macintosh") && navigator.maxTouchPoints) {
  for (const link of document.querySelectorAll("[data-store=play]")) link.hidden = true;
}
// Every link works without this script, which copies the code or the invitation link on a tap.
if (navigator.clipboard) {
  const status = document.getElementById("copied");
  // In-app browsers may have no such function, or never settle its promise.
  const copy = async (text) => {
    const timeout = new Promise((_, fail) => setTimeout(fail, 1000));
    try {
      await Promise.race([navigator.clipboard.writeText(text), timeout]);
      return true;
    } catch {
      return false;
    }
  };
  for (const part of document.querySelectorAll("button[hidden], .copying")) part.hidden = false;
  document.querySelector("a[data-copies]")?.setAttribute("aria-describedby", "consent");
  document.addEventListener("click", async (event) => {
    const target = event.target.closest("[data-copies]");
    if (!target) return;
    event.preventDefault();
    const done = await copy(target.dataset.copies);
    status.textContent = done ? status.dataset.done : "";
    if (target.href) location.assign(target.href);
    else if (!done) getSelection().selectAllChildren(document.getElementById("code"));
  });
}
