import { Link } from '@tanstack/react-router';
import ChevronsUpDown from 'lucide-react/icons/chevrons-up-down';
import LogOut from 'lucide-react/icons/log-out';
import Mail from 'lucide-react/icons/mail';
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuTrigger,
} from '../platform/menu.tsx';
import { usePlatform } from '../platform/platform-context.ts';
import { type Theme, useTheme } from '../platform/theme.ts';
import { useAuth } from './auth-context.ts';
import { type Me, messagesLeft, useMe } from './me.ts';

const themes: [Theme, string][] = [
  ['system', 'Like the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function allowanceSentence(me: Me) {
  const left = messagesLeft(me);
  if (left === null) return 'Messages without a limit';
  return left === 1 ? '1 message left' : `${left.toLocaleString('en')} messages left`;
}

/** Who is signed in, the plan, what is left of it, the theme, and the way out. */
export function AccountMenu() {
  const { config } = usePlatform();
  const { signOut } = useAuth();
  const { data: me } = useMe();
  const [theme, setTheme] = useTheme();
  const plan = me
    ? `${me.subscription_plan.charAt(0).toUpperCase()}${me.subscription_plan.slice(1)} plan`
    : '';
  return (
    <Menu>
      <MenuTrigger className="flex w-full items-center gap-2.5 rounded-md px-2.5 py-2 text-left hover:bg-hover data-[state=open]:bg-hover">
        <span
          aria-hidden="true"
          className="flex size-8 shrink-0 items-center justify-center rounded-full bg-pitch font-medium text-chalk uppercase"
        >
          {me?.email.charAt(0) ?? ''}
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate">
            <span className="sr-only">Account: </span>
            {me?.user_name || me?.email}
          </span>
          {me && <span className="block truncate text-small text-muted">{allowanceSentence(me)}</span>}
        </span>
        <ChevronsUpDown size={16} className="shrink-0 text-muted" />
      </MenuTrigger>
      <MenuContent side="top" align="start">
        {me && (
          <>
            <div className="max-w-64 px-2.5 py-2">
              <p className="truncate">{me.email}</p>
              <p className="text-small text-muted">
                {plan} · {allowanceSentence(me)}
              </p>
            </div>
            <MenuSeparator />
          </>
        )}
        <MenuLabel>Theme</MenuLabel>
        <MenuRadioGroup aria-label="Theme" value={theme} onValueChange={(value) => setTheme(value as Theme)}>
          {themes.map(([value, name]) => (
            <MenuRadioItem key={value} value={value} onSelect={(event) => event.preventDefault()}>
              {name}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
        <MenuSeparator />
        {config.outbox && (
          <MenuItem asChild>
            <Link to="/outbox">
              <Mail size={16} className="text-muted" />
              Outbox
            </Link>
          </MenuItem>
        )}
        <MenuItem onSelect={signOut}>
          <LogOut size={16} className="text-muted" />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
