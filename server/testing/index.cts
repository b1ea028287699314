import nodeModule = require('node:module')
import path = require('node:path')
import type * as kit from './index.js' with { 'resolution-mode': 'import' }

/*
 * For `require` in Jest, whose own loader has no ES modules before Node 24.9. The `require` of a module
 * that it did not create is Node's, which has. Playwright, which replaces that one, reads the file name.
 */
const own = new nodeModule.Module(__filename)
own.filename = __filename
const { createFixedAuthenticator, createTestAuth } = own.require(
  path.join(__dirname, 'index.js'),
) as typeof kit

const testing = { createFixedAuthenticator, createTestAuth }

// eslint-disable-next-line @typescript-eslint/no-namespace -- nothing else exports types beside `export =`
declare namespace testing {
  export type Duration = kit.Duration
  export type StorageState = kit.StorageState
  export type TestAuth = kit.TestAuth
  export type TestAuthOptions = kit.TestAuthOptions
  export type TestBrowser = kit.TestBrowser
  export type TestClock = kit.TestClock
  export type TestFetch = kit.TestFetch
  export type TestUser = kit.TestUser
  export type TestUserInput = kit.TestUserInput
}

export = testing
