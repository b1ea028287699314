import { reportFailure } from '../cli/terminal.js'
import { closeOnSignal } from '../cli/start.js'
import { createLogger } from '../log.js'
import { startExample } from './example.js'

/** `npm run example` */
try {
  const running = await startExample({
    env: process.env,
    logger: () => createLogger('error'),
    onProgress: (message) => console.log(message),
  })
  closeOnSignal(() => running.close())
  console.log(`
  The workspace is ready:  ${running.origin}

  It runs with the local provider, which signs in demo accounts without a
  password. What is behind it: client/examples/workspace/README.md
`)
} catch (error) {
  reportFailure(error)
}
