import { useMemo, type ReactElement } from 'react';
import { qrModules, qrPath } from '../qr/qr-code.js';

/** The quiet zone that readers need around a code, in modules. */
const QUIET = 4;

export interface QrPictureProps {
  /** What it is, for who cannot see it. */
  readonly label: string;
  readonly text: string;
}

/** A text as a QR code: dark on white in both themes, as readers want it. */
export function QrPicture({ label, text }: QrPictureProps): ReactElement {
  const { path, size } = useMemo(() => {
    const modules = qrModules(text);
    return { path: qrPath(modules), size: modules.length + 2 * QUIET };
  }, [text]);
  return (
    <svg
      className="curfew-qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" transform={`translate(${QUIET} ${QUIET})`} />
    </svg>
  );
}
