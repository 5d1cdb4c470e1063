/** Calls `run` with the last of what it is given once it stopped changing for `ms` milliseconds: typing asks once, not per letter. */
export function settled<Value>(ms: number, run: (value: Value) => void): (value: Value) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (value) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(value), ms);
  };
}
