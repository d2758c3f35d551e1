import './base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { takeArrivedLink } from './accounts/arrived-link.ts';
import { AuthContext } from './accounts/auth-context.ts';
import { ChatContext } from './chat/chat-context.ts';
import { Button } from './platform/button.tsx';
import { fetchConfig } from './platform/config.ts';
import { PlatformContext } from './platform/platform-context.ts';
import { ProblemPage } from './platform/problem-page.tsx';
import { createServices, type Services } from './services.ts';

// Before anything else, so that no secret stays in the address bar.
const arrived = takeArrivedLink();
const root = createRoot(document.getElementById('root')!);

function App({ services }: { services: Services }) {
  const { router, queryClient, auth, signOut, ...rest } = services;
  return (
    <PlatformContext value={rest}>
      <AuthContext value={{ auth, signOut }}>
        <ChatContext value={rest}>
          <QueryClientProvider client={queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </ChatContext>
      </AuthContext>
    </PlatformContext>
  );
}

async function start() {
  try {
    const services = createServices(await fetchConfig(), arrived);
    root.render(
      <StrictMode>
        <App services={services} />
      </StrictMode>,
    );
  } catch (error) {
    console.error(error);
    root.render(
      <ProblemPage
        title="Touchline does not answer"
        actions={
          <Button look="primary" onClick={start}>
            Try again
          </Button>
        }
      >
        <p>Your chats are safe on the server. Check your connection, or wait a moment, then try again.</p>
      </ProblemPage>,
    );
  }
}

void start();
