import type { Socket } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { nativeBinding } from "./native-binding.js";

/** What the system says when it is short of memory: nothing against the connection. */
const PASSING: readonly number[] = [constants.errno.ENOBUFS, constants.errno.ENOMEM];
/** As many descriptors as can be waited for together. */
const POLLED_LIMIT = 64;
const polled = new Int32Array(POLLED_LIMIT);

/**
 * A connected socket, used through its descriptor, without its stream and the event loop: a thread that waits for one answer hears it
 * sooner. What cannot be done at once is the stream's: bytes that were not taken are to be written through it, and the end and the
 * errors of the connection are its events.
 *
 * Invariant: {@link write} never writes while bytes wait in the stream, so that all go out in order.
 */
export class DirectSocket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Waits until one of the sockets can be read; returns its index. -1: none within the time, or none can be waited for. Of more than 64
   * the others are not looked at.
   */
  static firstReadable(sockets: readonly DirectSocket[], timeoutMs: number): number {
    const count = Math.min(sockets.length, POLLED_LIMIT);
    let usable = 0;
    for (let i = 0; i < count; i++) {
      const fd = (sockets[i] as DirectSocket).#fd;
      polled[i] = fd;
      if (fd >= 0) usable++;
    }
    return usable === 0 ? -1 : nativeBinding().pollReadable(polled, count, timeoutMs);
  }

  /**
   * How many of the bytes a socket takes at once. Less than 0: none any more, and why, as an errno of Node's. The system says it once: the
   * stream may hear only that the connection has ended.
   */
  static send(descriptor: number, bytes: Uint8Array): number {
    try {
      return Math.max(0, nativeBinding().send(descriptor, bytes));
    } catch (error) {
      const { errno = 0 } = error as NodeJS.ErrnoException;
      return PASSING.includes(-errno) ? 0 : errno;
    }
  }

  /** Of an errno that {@link send} has answered, as a stream would have put it. */
  static failureOf(errno: number): NodeJS.ErrnoException {
    const code = getSystemErrorName(errno);
    return Object.assign(new Error(`send ${code}`), { code, errno, syscall: "send" });
  }

  /** Of one from {@link duplicate}. */
  static closeDescriptor(descriptor: number): void {
    nativeBinding().close(descriptor);
  }

  /**
   * A descriptor of its own, for another thread, which is this connection's until it is closed, also when the runtime has closed the other.
   * -1: there is none.
   */
  duplicate(): number {
    const fd = this.#fd;
    try {
      return fd < 0 ? -1 : nativeBinding().duplicate(fd);
    } catch {
      return -1; // out of descriptors
    }
  }

  /** Bytes wait in the stream. */
  get hasUnsent(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** How many of the bytes were taken at once. What the system says against it ends the connection. */
  write(bytes: Uint8Array): number {
    const fd = this.#fd;
    const sent = fd < 0 || this.hasUnsent ? 0 : DirectSocket.send(fd, bytes);
    if (sent < 0) this.#socket.destroy(DirectSocket.failureOf(sent)); // it is said once, and has been said here
    return Math.max(0, sent);
  }

  /** How many bytes came at once; 0 also at the end. What the system says against it ends the connection. */
  read(target: Uint8Array): number {
    const fd = this.#fd;
    if (fd < 0) return 0;
    try {
      return Math.max(0, nativeBinding().receive(fd, target));
    } catch (error) {
      this.#socket.destroy(error as Error); // it is said once, and has been said here
      return 0;
    }
  }

  /** -1: not connected, closed, or the runtime does not show it. */
  get #fd(): number {
    const socket = this.#socket as Socket & { readonly _handle?: { readonly fd?: number } | null };
    return socket.connecting || socket.destroyed ? -1 : (socket._handle?.fd ?? -1);
  }
}
