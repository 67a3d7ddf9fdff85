// Keeps the token of a referral link, and puts it into the signup form of the page that loads this.
// No dependency, no other host. Mark the form with data-referral; see docs/integration/web.md.
(() => {
  const TOKEN = "referral_token";
  const KEPT = "invited_by";
  const KEPT_S = 30 * 86_400;

  const attempt = (action) => {
    try {
      return action() ?? "";
    } catch {
      return ""; // storage is switched off: the signup goes on
    }
  };

  const keep = () => {
    const url = new URL(location.href);
    const token = url.searchParams.get(TOKEN);
    if (!token) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    const value = encodeURIComponent(token);
    attempt(() => sessionStorage.setItem(TOKEN, token));
    attempt(() => {
      document.cookie = `${KEPT}=${value}; Path=/; Max-Age=${KEPT_S}; SameSite=Lax${secure}`;
    });
    // The other parameters stay byte for byte: `searchParams.delete` would write them anew.
    url.search = url.search.slice(1).split("&").filter((pair) => pair.split("=")[0] !== TOKEN).join("&");
    attempt(() => history.replaceState(history.state, "", url));
  };

  const kept = () => {
    const found = document.cookie.split("; ").find((cookie) => cookie.startsWith(`${KEPT}=`));
    return found ? decodeURIComponent(found.slice(KEPT.length + 1)) : "";
  };

  const fill = (form) => {
    const values = {
      referral_token: attempt(() => sessionStorage.getItem(TOKEN)),
      cookie_token: attempt(kept),
    };
    for (const [name, value] of Object.entries(values)) {
      if (!value) continue;
      let input = form.elements.namedItem(name);
      if (!input) {
        input = document.createElement("input");
        input.type = "hidden";
        input.name = name;
        form.append(input);
      }
      input.value = value;
    }
  };

  keep();
  const fillAll = () => document.querySelectorAll("form[data-referral]").forEach(fill);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", fillAll);
  else fillAll();
  // Also for a form that a framework draws later.
  addEventListener("submit", (event) => event.target.matches?.("form[data-referral]") && fill(event.target), true);
})();
