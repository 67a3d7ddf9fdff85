// Without this script every link works; it only saves typing the code, and asks before it copies.
if (navigator.clipboard) {
  const status = document.getElementById("copied");
  // Some browsers inside apps never answer, or have no such function.
  const copied = async (text) => {
    const late = new Promise((_, fail) => setTimeout(fail, 1000));
    try {
      await Promise.race([navigator.clipboard.writeText(text), late]);
      return true;
    } catch {
      return false;
    }
  };
  for (const part of document.querySelectorAll("button[hidden], .copying")) part.hidden = false;
  document.querySelector("a[data-copies]")?.setAttribute("aria-describedby", "consent");
  document.addEventListener("click", async (event) => {
    const tapped = event.target.closest("[data-copies]");
    if (!tapped) return;
    event.preventDefault();
    const done = await copied(tapped.dataset.copies);
    status.textContent = done ? status.dataset.done : "";
    if (tapped.href) location.assign(tapped.href);
    else if (!done) getSelection().selectAllChildren(document.getElementById("code"));
  });
}
