import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** One mail as the server took it. */
type ReceivedMail = {
  from: string;
  recipients: string[];
  /** The account that signed in; undefined without a sign-in. */
  user: string | undefined;
  /** Whether it came over TLS. */
  secure: boolean;
  raw: string;
  parsed: ParsedMail;
};

type FakeSmtpOptions = {
  /** Offers STARTTLS. */
  certificate?: { cert: string; key: string };
  /** Wants a sign-in, which it offers only where it has a certificate and the connection is encrypted. */
  account?: { user: string; password: string };
};

export type FakeSmtp = {
  port: number;
  mails: ReceivedMail[];
  /** Recipients that are refused, with the status; the answer quotes the address, as real servers do. */
  refused: Map<string, number>;
  close: () => Promise<void>;
};

/** A mail server on every address of this machine: SMTP as real ones speak it, and it delivers nothing. */
export async function startFakeSmtp({ certificate, account }: FakeSmtpOptions = {}): Promise<FakeSmtp> {
  const mails: ReceivedMail[] = [];
  const refused = new Map<string, number>();
  const server = new SMTPServer({
    ...certificate,
    disabledCommands: [...(certificate ? [] : ['STARTTLS']), ...(account ? [] : ['AUTH'])],
    allowInsecureAuth: false,
    authOptional: !account,
    disableReverseLookup: true,
    onAuth({ username, password }, _session, callback) {
      if (username === account?.user && password === account?.password) callback(null, { user: username });
      else callback(Object.assign(new Error(`no such account: ${username}`), { responseCode: 535 }));
    },
    onRcptTo({ address }, _session, callback) {
      const responseCode = refused.get(address);
      if (responseCode === undefined) callback();
      else callback(Object.assign(new Error(`nothing for <${address}>`), { responseCode }));
    },
    async onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const raw = Buffer.concat(chunks);
      const { mailFrom, rcptTo } = session.envelope;
      mails.push({
        from: mailFrom ? mailFrom.address : '',
        recipients: rcptTo.map(({ address }) => address),
        user: session.user,
        secure: session.secure,
        raw: raw.toString(),
        parsed: await simpleParser(raw),
      });
      callback();
    },
  });
  // A client that goes in the middle is none of its business.
  server.on('error', () => {});
  server.listen(0, '0.0.0.0');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    refused,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export type SmtpStep = string | 'hang' | 'die';

/**
 * A mail server that goes wrong: `answer` says what comes back to a line (`undefined`: the greeting), as a reply, as
 * nothing at all (`hang`) or as the end of the connection (`die`). Within a mail only its end is replied to.
 */
export async function startBrokenSmtp(answer: (line: string | undefined) => SmtpStep) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const say = (step: SmtpStep) => {
      if (step === 'die') socket.destroy();
      else if (step !== 'hang') socket.write(`${step}\r\n`);
    };
    say(answer(undefined));
    let rest = '';
    let within_mail = false;
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === '.') within_mail = false;
        const step = answer(line);
        if (!within_mail || step === 'die') say(step);
        if (step.startsWith('354')) within_mail = true;
      }
    });
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** How many connections have been made. */
    get connections() {
      return sockets.size;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
