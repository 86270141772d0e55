/** The licences of what a bundle has of other people's packages: they ask to go with every copy. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;
const FILE = /^(licen[cs]e|notice)(\.\w+)?$/i;

/**
 * @param metafiles esbuild's, of bundles that lie side by side
 * @throws when a package has no licence that could be copied
 */
export function bundledLicences(metafiles) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  const directories = new Set(inputs.flatMap((input) => PACKAGE.exec(input)?.[1] ?? []));
  return [...directories].map(licenceOf).sort().join("\n");
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const texts = readdirSync(directory)
    .filter((file) => FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), "utf8").trim());
  if (texts.length === 0) throw new Error(`a package is bundled that has no licence with it: name=${name} directory=${directory}`);
  return `${name} ${version}, ${license}\n\n${texts.join("\n\n")}\n`;
}
