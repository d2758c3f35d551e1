import X from 'lucide-react/icons/x';
import { IconButton } from './button.tsx';
import { createStore, useStored } from './store.ts';

type Toast = { id: number; text: string };

const shown_ms = 8000;
const store = createStore<Toast[]>();
let last_id = 0;

function dismiss(id: number) {
  store.set(
    'all',
    (store.get('all') ?? []).filter((toast) => toast.id !== id),
  );
}

/** Tells of something that happened away from where the reader looks: what, and whether anything was lost. */
export function showToast(text: string) {
  const id = ++last_id;
  store.set('all', [...(store.get('all') ?? []), { id, text }]);
  setTimeout(dismiss, shown_ms, id);
}

/** Where toasts appear; rendered once. */
export function Toasts() {
  const toasts = useStored(store, 'all') ?? [];
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 top-14 z-50 flex flex-col items-center gap-2 px-4"
    >
      {toasts.map((toast) => (
        <p
          key={toast.id}
          className="appear pointer-events-auto flex max-w-column items-center gap-2 rounded-lg border border-line bg-surface py-1.5 pr-1.5 pl-4 shadow-raised"
        >
          <span>{toast.text}</span>
          <IconButton name="Dismiss" onClick={() => dismiss(toast.id)}>
            <X size={16} />
          </IconButton>
        </p>
      ))}
    </div>
  );
}
