/** Facts about the machine, as the server shows them. Texts are hostile. */
export interface MachineFacts {
  readonly hostname: string;
  readonly platform: 'linux' | 'darwin' | 'windows';
  readonly osRelease: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly hardwareId: string;
  readonly model: string;
}

/** The machine that the agent runs on. */
export interface Machine {
  /** The id of this boot; changes with every boot. */
  bootId(): string;
  /** Slow (spawns processes): at start and rarely after. */
  facts(): Promise<MachineFacts>;
}
