/** The page's entry: asks for the token where there is none, and watches the store. */
import { forgetToken, hasAddressToken, keepToken, takeToken } from "./access-token.js";
import { byId, setText } from "./element.js";
import { watch } from "./live-stream.js";
import { StorePage } from "./store-page.js";

const form = byId("token-form") as HTMLFormElement;
const input = byId("token") as HTMLInputElement;

function askForToken(reason: string): void {
  setText(byId("token-reason"), reason);
  byId("store").hidden = true;
  form.hidden = false;
  input.focus();
}

async function show(token: string): Promise<void> {
  const onRefused = (): void => {
    forgetToken();
    askForToken("The server does not know this token. It is in the address that serveDashboard gives.");
  };
  await watch(token, new StorePage(token, onRefused));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  form.hidden = true;
  keepToken(input.value);
  void show(input.value);
});

// Given in the address bar of this page, it loads nothing by itself.
addEventListener("hashchange", () => {
  if (hasAddressToken()) location.reload();
});

const token = takeToken();
if (token === undefined) askForToken("The address that serveDashboard gives has it after the #.");
else void show(token);
