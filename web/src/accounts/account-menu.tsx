import { Link } from '@tanstack/react-router';
import ChartColumn from 'lucide-react/icons/chart-column';
import ChevronsUpDown from 'lucide-react/icons/chevrons-up-down';
import CreditCard from 'lucide-react/icons/credit-card';
import LogOut from 'lucide-react/icons/log-out';
import Mail from 'lucide-react/icons/mail';
import Settings from 'lucide-react/icons/settings';
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
import { Avatar } from './avatar.tsx';
import { type Formats, useFormats } from './formats.ts';
import { type Me, messagesLeft, useMe } from './me.ts';

const themes: [Theme, string][] = [
  ['system', 'Like the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** What can be sent, bought messages too. */
function allowanceSentence(me: Me, { number }: Formats) {
  const left = messagesLeft(me);
  if (left === null) return 'Messages without a limit';
  return left === 1 ? '1 message left' : `${number(left)} messages left`;
}

/** Who is signed in, the plan, what is left of it, the theme, the settings, and the way out. */
export function AccountMenu() {
  const { config } = usePlatform();
  const { signOut } = useAuth();
  const { data: me } = useMe();
  const formats = useFormats();
  const [theme, setTheme] = useTheme();
  const plan = me
    ? `${me.subscription_plan.charAt(0).toUpperCase()}${me.subscription_plan.slice(1)} plan`
    : '';
  return (
    <Menu>
      <MenuTrigger className="flex w-full items-center gap-2.5 rounded-md px-2.5 py-2 text-left hover:bg-hover data-[state=open]:bg-hover">
        <Avatar me={me} />
        <span className="min-w-0 flex-1">
          <span className="block truncate">
            <span className="sr-only">Account: </span>
            {me?.user_name || me?.email}
          </span>
          {me && (
            <span className="block truncate text-small text-muted">{allowanceSentence(me, formats)}</span>
          )}
        </span>
        <ChevronsUpDown size={16} className="shrink-0 text-muted" />
      </MenuTrigger>
      <MenuContent side="top" align="start">
        {me && (
          <>
            <div className="max-w-64 px-2.5 py-2">
              <p className="truncate">{me.email}</p>
              <p className="text-small text-muted">
                {plan} · {allowanceSentence(me, formats)}
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
        <MenuItem asChild>
          <Link to="/settings/profile">
            <Settings size={16} className="text-muted" />
            Settings
          </Link>
        </MenuItem>
        <MenuItem asChild>
          <Link to="/settings/plan">
            <CreditCard size={16} className="text-muted" />
            Plan and billing
          </Link>
        </MenuItem>
        <MenuItem asChild>
          <Link to="/settings/usage">
            <ChartColumn size={16} className="text-muted" />
            Usage
          </Link>
        </MenuItem>
        {config.outbox && (
          <MenuItem asChild>
            <Link to="/outbox">
              <Mail size={16} className="text-muted" />
              Outbox
            </Link>
          </MenuItem>
        )}
        <MenuItem onSelect={() => void signOut()}>
          <LogOut size={16} className="text-muted" />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
