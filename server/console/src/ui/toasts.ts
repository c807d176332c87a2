/** A short notice in the corner of the page. */
export interface Toast {
  readonly id: number;
  readonly variant: 'success' | 'danger' | 'warning' | 'info';
  readonly title: string;
  readonly body: string | undefined;
}

/** The notices that are shown now. Screen readers are told of each as it comes. */
export class Toasts {
  private list: readonly Toast[] = [];
  private nextId = 1;
  private readonly listeners = new Set<() => void>();

  readonly current = (): readonly Toast[] => this.list;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Shows a notice. Those of success go by themselves; the others stay until they are closed. */
  show(variant: Toast['variant'], title: string, body?: string): void {
    this.change([...this.list, { id: this.nextId++, variant, title, body }].slice(-5));
  }

  close(id: number): void {
    this.change(this.list.filter((toast) => toast.id !== id));
  }

  private change(list: readonly Toast[]): void {
    this.list = list;
    for (const listener of this.listeners) listener();
  }
}
