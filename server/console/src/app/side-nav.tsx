import { Nav, NavItem, NavList, PageSidebar, PageSidebarBody } from '@patternfly/react-core';
import { Link, useLocation } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { roleIsAtLeast, type Role } from '../api/method-roles.js';
import { ThemeToggle } from './theme-toggle.js';
import { useSignedIn } from '../auth/use-auth.js';

/** The pages of the side, in their order, and the least role that each is for. */
const PLACES = [
  { to: '/', label: 'Overview', role: 'viewer' },
  { to: '/sessions', label: 'Active Sessions', role: 'viewer' },
  { to: '/requests', label: 'Requests', role: 'viewer' },
  { to: '/my-access', label: 'My access', role: 'user' },
  { to: '/devices', label: 'Devices', role: 'viewer' },
  { to: '/resources', label: 'Resources', role: 'viewer' },
  { to: '/users', label: 'Users', role: 'viewer' },
  { to: '/policies', label: 'Policies', role: 'viewer' },
  { to: '/audit', label: 'Audit', role: 'viewer' },
  { to: '/settings', label: 'Settings', role: 'user' },
] as const satisfies readonly { to: string; label: string; role: Role }[];

/** The way around. People without an operator's role see only what is theirs. */
export function SideNav({ onChoose }: { readonly onChoose: () => void }): ReactElement {
  const { user } = useSignedIn();
  const { pathname } = useLocation();
  const isHere = (to: string): boolean => (to === '/' ? pathname === '/' : pathname.startsWith(to));
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages" onSelect={onChoose}>
          <NavList>
            {PLACES.filter(({ role }) => roleIsAtLeast(user.role, role)).map(({ to, label }) => (
              <NavItem key={to} itemId={to} isActive={isHere(to)}>
                <Link to={to}>{label}</Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
      <PageSidebarBody usePageInsets className="curfew-narrow-only">
        <ThemeToggle idPrefix="side" />
      </PageSidebarBody>
    </PageSidebar>
  );
}
