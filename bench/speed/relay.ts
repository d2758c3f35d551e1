// The floor: a server that passes requests and answers on byte for byte, and does nothing else.
import http from 'node:http';
import { answerQuestions } from './ask.ts';

const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: 'lifo' });
const upstream = new URL(process.env.OPENAI_BASE_URL!);

const server = http.createServer((request, response) => {
  const { method, headers, url } = request;
  const passing = http.request(
    { host: upstream.hostname, port: upstream.port, method, headers, path: url, agent },
    (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    },
  );
  request.pipe(passing);
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1');

answerQuestions({
  port: async () => {
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
    return (server.address() as { port: number }).port;
  },
});
