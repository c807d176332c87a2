/** Cuts a stream of text into lines. What has no line feed yet waits for the next piece. */
export class LineCutter {
  private rest = '';

  /** The lines that the piece completes, empty ones left out. */
  push(piece: string): string[] {
    const parts = (this.rest + piece).split('\n');
    this.rest = parts.pop() ?? '';
    return parts.filter((line) => line !== '');
  }
}
