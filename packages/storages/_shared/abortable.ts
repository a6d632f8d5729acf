/** Settles with the promise, or rejects with the signal's reason when it aborts first; what comes later is ignored. */
export async function abortable<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const over = Promise.withResolvers<never>();
  const aborted = () => over.reject(signal.reason);
  if (signal.aborted) aborted();
  signal.addEventListener("abort", aborted, { once: true });
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}
