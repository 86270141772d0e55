import { existsSync } from "node:fs";
import puppeteer, { type Browser } from "puppeteer-core";

/** Whose binary the npm registry has; an optional dependency, so that nothing needs it. */
const CHROMIUM_PACKAGE = "@sparticuz/chromium";
const SYSTEM_BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Where the environment names no language, a page is given one that it cannot use. */
const LANGUAGE = "--lang=en-US";
const SYSTEM_ARGUMENTS = ["--no-sandbox", "--disable-gpu"];

interface Executable {
  readonly executablePath: string;
  readonly args: readonly string[];
}

/** Starts a browser without a window; what this machine has not answers with the reason. */
export async function launchBrowser(): Promise<Browser | string> {
  const found = (await packagedBrowser()) ?? systemBrowser();
  if (found === undefined) return "no Chromium here";
  try {
    return await puppeteer.launch({ executablePath: found.executablePath, args: [...found.args, LANGUAGE], headless: "shell" });
  } catch (error) {
    return `Chromium does not start here: ${String(error).split("\n")[0]}`;
  }
}

async function packagedBrowser(): Promise<Executable | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    const { default: chromium } = (await import(CHROMIUM_PACKAGE)) as {
      default: { readonly args: string[]; executablePath(): Promise<string> };
    };
    // What would weaken what the page's own policy forbids stays away.
    const args = chromium.args.filter((one) => !/web-security|insecure-content|headless/.test(one));
    return { executablePath: await chromium.executablePath(), args };
  } catch {
    return undefined;
  }
}

function systemBrowser(): Executable | undefined {
  const executablePath = SYSTEM_BROWSERS.find((path) => existsSync(path));
  return executablePath === undefined ? undefined : { executablePath, args: SYSTEM_ARGUMENTS };
}
