/** A process that opens a store with a dispatcher's module, says what came of it, and does nothing to end. Arguments: directory, module. */
import { MessageStore } from "@millrace/store";

const [storePathRootDir = "", module = ""] = process.argv.slice(2);

try {
  const store = await MessageStore.open({ storePathRootDir, mappedFileSizeCommitLog: 65_536, commitLogDispatchers: [module] });
  await store.close();
  process.stdout.write("open\n");
} catch (error) {
  const { code, message } = error as { code: string; message: string };
  process.stdout.write(`${code} ${message}\n`);
}
