// Reads the threads of a Weft server.
//
//   node client.js [--proto DIR] [--roots FILE] HOST:PORT thread MESSAGE-ID
//   node client.js [--proto DIR] [--roots FILE] HOST:PORT search WORD...
//   node client.js [--proto DIR] [--roots FILE] HOST:PORT watch [POSITION]
//
// DIR holds weft/v1/threads.proto; FILE has the certificates of the authorities that are trusted (PEM), instead of those
// of the system.
'use strict';

const fs = require('node:fs');
const { parseArgs, promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const MAX_MESSAGE = 8 << 20; // a page of a thread has more than 1 MiB at times
const SECONDS = 30;

function connect(address, protoDir, rootsFile) {
  const definition = protoLoader.loadSync('weft/v1/threads.proto', {
    includeDirs: [protoDir],
    longs: Number,
    enums: String,
    defaults: true,
  });
  const { ThreadService } = grpc.loadPackageDefinition(definition).weft.v1;
  const roots = rootsFile ? fs.readFileSync(rootsFile) : null;
  const options = { 'grpc.max_receive_message_length': MAX_MESSAGE };
  return new ThreadService(address, grpc.credentials.createSsl(roots), options);
}

// The pages of a call, one after the other.
async function* pages(client, method, request) {
  const call = promisify(client[method]).bind(client);
  let pageToken = '';
  do {
    const deadline = Date.now() + 1000 * SECONDS;
    const page = await call({ ...request, pageToken }, new grpc.Metadata(), { deadline });
    yield page;
    pageToken = page.nextPageToken;
  } while (pageToken);
}

function dateOf(message) {
  return message.date ? new Date(1000 * message.date.time.seconds).toISOString().slice(0, 10) : '          ';
}

async function printThread(client, id) {
  for await (const page of pages(client, 'getThread', { messageId: Buffer.from(id) })) {
    for (const message of page.messages) {
      const text = message.ghost ? `[missing ${message.messageId}]` : `${message.author}: ${message.subject}`;
      console.log(`${dateOf(message)} ${'  '.repeat(message.depth)}${text}`);
    }
  }
}

async function printFound(client, query) {
  for await (const page of pages(client, 'searchMessages', { query })) {
    for (const found of page.results) {
      console.log(`${dateOf(found)} ${found.list} ${found.messageId} ${found.subject}`);
    }
  }
}

// Each change as it comes, until the server ends it.
async function printChanges(client, position) {
  const call = client.watchChanges(position === undefined ? {} : { afterPosition: position });
  for await (const response of call) {
    for (const change of response.changes) {
      console.log(`${change.logPosition} ${change.causes.join(' ')} ${change.list} ${change.messageId}`);
    }
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { proto: { type: 'string', default: 'proto' }, roots: { type: 'string' } },
  });
  const [address, command, ...rest] = positionals;
  const client = connect(address, values.proto, values.roots);
  try {
    if (command === 'thread') await printThread(client, rest[0]);
    else if (command === 'search') await printFound(client, rest.join(' '));
    else if (command === 'watch') await printChanges(client, rest[0]);
    else throw new Error(`unknown command: ${command}`);
  } finally {
    client.close();
  }
}

main().catch((error) => {
  // Of gRPC: a code and its details; the trailing metadata has a google.rpc.Status for programs that want more.
  const name = error.code === undefined ? 'error' : grpc.status[error.code];
  console.error(`${name}: ${error.details ?? error.message}`);
  process.exitCode = 1;
});
