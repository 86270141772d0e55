/** The one call that is used; the package has no types of its own. */
declare module "fs-native-extensions" {
  /** F_OFD_SETLK, exclusive. False on EAGAIN; other errors are thrown with `code`. */
  export function tryLock(fd: number, offset: number, length: number): boolean;
}
