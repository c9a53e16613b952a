/**
 * Where npm start, npm test and npm run bench begin: refuses a Node that is too old, in words that even such a one
 * understands. So this file imports nothing before it has looked.
 */
const NODE_MAJOR = 20;

/** @param {string} command that the person typed, for messages @param {string} program path below the root */
export function begin(command, program) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
    console.error(
      `${command}: missing:\n  - Node ${NODE_MAJOR} or newer, found ${process.versions.node}: it installs Node 24 for this project alone. Get it: https://nodejs.org`,
    );
    process.exit(1);
  }
  import('./launcher.js')
    .then(({ handOver }) => handOver(command, program))
    .catch((error) => {
      console.error(error);
      process.exit(1);
    });
}
