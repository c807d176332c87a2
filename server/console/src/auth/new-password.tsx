import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../api/api-error.js';
import { LEAST_PASSWORD_LENGTH, PasswordField } from './password-fields.js';

/** What SignInService/ChangePassword takes. */
export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
}

export interface NewPasswordWords {
  /** What the password of now is called. */
  readonly currentLabel: string;
  /** What to say when it is not the right one. */
  readonly currentWrong: string;
}

/** A form's fields for another password, and what they hold. */
export interface NewPassword {
  readonly fields: ReactElement;
  readonly change: PasswordChange;
  readonly isReady: boolean;
  /** What was refused and stands at no field. */
  readonly error: Error | null;
}

/** The password of now, a new one, and that again. `refused` is what the server said to the last attempt. */
export function useNewPassword(refused: Error | null, words: NewPasswordWords): NewPassword {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const code = refused instanceof ApiError ? refused.code : undefined;
  const currentProblem = code === 'PASSWORD_WRONG' ? words.currentWrong : undefined;
  const nextRefused =
    fieldError(refused, 'newPassword') ?? (code === 'PASSWORD_TOO_WEAK' ? errorSentence(refused) : undefined);
  const isShort = next !== '' && next.length < LEAST_PASSWORD_LENGTH;
  const fields = (
    <>
      <PasswordField
        id="current-password"
        label={words.currentLabel}
        autoComplete="current-password"
        value={current}
        onChange={setCurrent}
        problem={currentProblem}
      />
      <PasswordField
        id="new-password"
        label="New password"
        autoComplete="new-password"
        value={next}
        onChange={setNext}
        problem={nextRefused ?? (isShort ? `At least ${LEAST_PASSWORD_LENGTH} characters.` : undefined)}
        hint={`At least ${LEAST_PASSWORD_LENGTH} characters; a few words in a row are good.`}
      />
      <PasswordField
        id="new-password-again"
        label="New password again"
        autoComplete="new-password"
        value={again}
        onChange={setAgain}
        problem={again !== '' && again !== next ? 'The two are not the same.' : undefined}
      />
    </>
  );
  return {
    fields,
    change: { currentPassword: current, newPassword: next },
    isReady: current !== '' && next.length >= LEAST_PASSWORD_LENGTH && next === again,
    error: (currentProblem ?? nextRefused) === undefined ? refused : null,
  };
}
