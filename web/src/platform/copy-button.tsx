import Check from 'lucide-react/icons/check';
import Copy from 'lucide-react/icons/copy';
import { useState } from 'react';
import { IconButton } from './button.tsx';
import { copyText } from './copy-text.ts';
import { showToast } from './toasts.tsx';

type CopyButtonProps = {
  name: string;
  /** Read when the button is pressed. */
  text: () => string;
  className?: string;
};

/** Copies a text, and says for a moment that it did. */
export function CopyButton({ name, text, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  return (
    <IconButton
      name={copied ? 'Copied' : name}
      className={className}
      onClick={async () => {
        if (!(await copyText(text()))) {
          showToast('Your browser did not allow copying. Mark the text and copy it by hand.');
          return;
        }
        setCopied(true);
        setTimeout(setCopied, 2000, false);
      }}
    >
      {copied ? <Check size={16} /> : <Copy size={16} />}
    </IconButton>
  );
}
