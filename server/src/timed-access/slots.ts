/** So many calls at a time; what takes away goes before what gives. */
export class Slots {
  private used = 0;
  private readonly urgent: (() => void)[] = [];
  private readonly others: (() => void)[] = [];

  constructor(private readonly count: number) {}

  /** Resolves when there is room. What it gives must be called once, at the end. */
  async enter(isUrgent: boolean): Promise<() => void> {
    if (this.used >= this.count)
      await new Promise<void>((resolve) => {
        (isUrgent ? this.urgent : this.others).push(resolve);
      });
    else this.used += 1;
    return () => {
      const next = this.urgent.shift() ?? this.others.shift();
      if (next === undefined) this.used -= 1;
      else next();
    };
  }
}
