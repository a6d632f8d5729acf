import process from "node:process";

export interface Supervision {
  /** From now on this is called when the supervisor is gone. */
  onLost(handler: () => void): void;
}

/**
 * Ends this process when its supervisor is gone: at once while it starts, and by what `onLost` names once it runs. To be
 * called before anything else is loaded, since a supervisor may die at any moment without notice: all that shows it is
 * the end of the channel, which Node reports to those who listen and then never again.
 */
export function watchSupervisor(): Supervision {
  let end = (): void => process.exit(1);
  process.on("disconnect", () => end());
  // the channel may have ended before this line
  if (process.send !== undefined && !process.connected) end();
  return {
    onLost(handler) {
      end = handler;
    },
  };
}
