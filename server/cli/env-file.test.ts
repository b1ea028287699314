import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import {
  loadEnvFile,
  readEnvFile,
  readEnvVariables,
  setEnvVariables,
  writeEnvFile,
} from './env-file.js'

const NAMES = fc.constantFrom('A', 'B', 'C', 'NETSCRIPT_AUTH_CLIENT_SECRET')
/** Mostly characters with a meaning in .env files. */
const HOSTILE = fc.string({
  unit: fc.oneof(
    fc.constantFrom('#', '"', "'", '`', ' ', '\n', '$', '\\', 'n', '=', '{', '!', 'é', '\t', 'x'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
  ),
  maxLength: 20,
})
const LINES = fc.array(
  fc.oneof(
    fc.constantFrom('', '# A=1', "# don't", '#B="', '#', 'PORT=8094 # the port', 'X="1\n2"'),
    fc.constantFrom(
      'A=1',
      "A='a # b'  # c",
      'export B="x"',
      'B =  y#z',
      'C=',
      'A=x\t# tab',
      'B=x \t',
      "A='1\n\n2' #'",
    ),
  ),
  { maxLength: 8 },
)

describe('setEnvVariables', () => {
  it('writes what Node reads back and changes no other variable', () => {
    let written = 0
    fc.assert(
      fc.property(
        LINES,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.dictionary(NAMES, HOSTILE, { noNullPrototype: true, maxKeys: 3 }),
        (lines, lineEnd, closed, values) => {
          const text = (lines.join('\n') + (closed ? '\n' : '')).replaceAll('\n', lineEnd)
          let result: string
          try {
            result = setEnvVariables(text, values)
          } catch {
            // Only values that no quoting can express are rejected.
            expect(Object.values(values).some(isUnwritable)).toBe(true)
            return
          }
          written += 1
          // Node parses an empty value or a comment at the end of the file differently.
          expect(parseEnv(`${result}\nEND=1`)).toEqual({
            ...parseEnv(`${text}\nEND=1`),
            ...values,
          })
          const comments = (of: string) => of.match(/#[^\n]*/g)?.length ?? 0
          expect(comments(result)).toBeGreaterThanOrEqual(comments(text))
          expect(setEnvVariables(result, values)).toBe(result)
        },
      ),
      { numRuns: 2000 },
    )
    expect(written).toBeGreaterThan(1000)
  })

  it.each([
    ['in place', 'A=1\nB=2\nC=3\n', 'A=1\nB=new\nC=3\n'],
    ['before its comment', 'B=2   # two\n', 'B=new   # two\n'],
    ['before its comment after a tab', 'B=2\t# two\n', 'B=new # two\n'],
    ['before a tab', 'B=2 \t\n', 'B=new\n'],
    ['after export', 'export B="2"\n', 'export B=new\n'],
    ['with the spaces around it', '  B = 2\n', '  B = new\n'],
    ['in a file with CRLF', '# a\r\nB=2\r\n\r\nA=1\r\n', '# a\r\nB=new\r\n\r\nA=1\r\n'],
    ['over several lines', "B='1\n2' # b\nA=1\n", 'B=new # b\nA=1\n'],
    ['with what follows a closed quote', "B='1'rest # b\n", 'B=new # b\n'],
    ['in both lines of two', 'B=1\nA=1\nB=2\n', 'B=new\nA=1\nB=new\n'],
    ['where it was empty', 'B=\nA=1\n', 'B=new\nA=1\n'],
    ['at the end when it is commented out', '# B=2\n', '# B=2\nB=new\n'],
    ['at the end when it only ends in the name', 'AB=2\n', 'AB=2\nB=new\n'],
    ['at the end when it is inside a value', "A='\nB=2\n'\n", "A='\nB=2\n'\nB=new\n"],
    ['at the end of a file without a last line end', 'A=1', 'A=1\nB=new\n'],
    ['at the end of a file with CRLF', 'A=1\r\n', 'A=1\r\nB=new\r\n'],
    ['in an empty file', '', 'B=new\n'],
  ])('sets a value %s', (_what, text, expected) => {
    expect(setEnvVariables(text, { B: 'new' })).toBe(expected)
  })

  it.each([
    ['plain', 'plain'],
    ['', `''`],
    ['https://idp.example/a?b=1', `'https://idp.example/a?b=1'`],
    ['a$b', `'a$b'`],
    ["it's", `"it's"`],
    [`'"`, '`\'"`'],
    ['postgres://u:p@db:5432/auth', 'postgres://u:p@db:5432/auth'],
  ])('writes %s as %s', (value, written) => {
    expect(setEnvVariables('', { A: value })).toBe(`A=${written}\n`)
  })

  it.each(['a\rb', 'a\0b', `'"\`#`, '\ud800'])('refuses %j without showing it', (value) => {
    const message = messageOf(() => setEnvVariables('', { SECRET: value }))
    expect(message).toMatch(/^SECRET: a \.env file cannot hold this value\. Set /)
  })

  // Node 20 treats the first line of two of these as part of the name.
  it.each(['junk\nA=1\n', '\n  # a comment\nA=1\n', 'B="1\nA=1\nC=2\nD="3"\n', 'B = \nA=1\n'])(
    'sets a value correctly or rejects ambiguous lines: %j',
    (text) => {
      const values = readEnvVariables(text)
      let result
      try {
        result = setEnvVariables(text, { A: '2' })
      } catch (error) {
        expect((error as Error).message).toMatch(/^A would not be read back/)
        return
      }
      expect(readEnvVariables(result)).toEqual({ ...values, A: '2' })
    },
  )
})

describe('loadEnvFile', () => {
  const variables = ['NETSCRIPT_TEST_FIRST', 'NETSCRIPT_TEST_SECOND']
  const text = 'NETSCRIPT_TEST_FIRST=1\r\nNETSCRIPT_TEST_SECOND="2 ä" # two\r\n'
  afterEach(() => {
    for (const name of variables) delete process.env[name]
  })
  const load = async (bytes: Buffer): Promise<(string | undefined)[]> => {
    const directory = await mkdtemp(join(tmpdir(), 'netscript-env-'))
    const file = join(directory, '.env')
    await writeFile(file, bytes)
    try {
      loadEnvFile(file)
      expect(await readEnvFile(file)).toBe(text)
    } finally {
      await rm(directory, { recursive: true })
    }
    return variables.map((name) => process.env[name])
  }

  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le')],
  ])('sets every variable of a file in %s', async (_name, bytes) => {
    expect(await load(bytes)).toEqual(['1', '2 ä'])
  })

  it('gives the environment precedence, even with an empty value', async () => {
    process.env.NETSCRIPT_TEST_FIRST = ''
    expect(await load(Buffer.from(text))).toEqual(['', '2 ä'])
  })

  it('explains why it cannot read a file', async () => {
    await expect(load(Buffer.from(text, 'utf16le'))).rejects.toThrow('is not UTF-8 text')
    expect(() => loadEnvFile(tmpdir())).toThrow('cannot be read. Make it a file')
  })
})

describe('writeEnvFile', () => {
  const directories: string[] = []
  afterAll(async () => {
    for (const directory of directories) await rm(directory, { recursive: true })
  })
  const inDirectory = async (): Promise<{ directory: string; file: string }> => {
    const directory = await mkdtemp(join(tmpdir(), 'netscript-env-'))
    directories.push(directory)
    return { directory, file: join(directory, '.env') }
  }

  it('makes a file for its owner only', async () => {
    const { directory, file } = await inDirectory()
    expect(await readEnvFile(file)).toBe('')
    await writeEnvFile('A=1\n', file)
    expect(await readEnvFile(file)).toBe('A=1\n')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(directory)).toEqual(['.env'])
  })

  it.each([
    [0o644, 0o600],
    [0o640, 0o600],
    [0o666, 0o600],
    [0o755, 0o600],
    [0o600, 0o600],
    [0o400, 0o400],
  ])('turns mode %o into %o, and keeps the link to the file', async (before, after) => {
    const warned = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { directory, file } = await inDirectory()
    const real = join(directory, 'real.env')
    await writeFile(real, 'A=secret-1\n')
    await chmod(real, before)
    await symlink(real, file)
    await writeEnvFile('A=secret-2\n', file)
    expect(await readFile(real, 'utf8')).toBe('A=secret-2\n')
    expect((await stat(real)).mode & 0o777).toBe(after)
    expect((await readdir(directory)).sort()).toEqual(['.env', 'real.env'])
    const warnings = warned.mock.calls.flat().join('\n')
    warned.mockRestore()
    expect(warnings.includes(`had mode 0${before.toString(8)}`)).toBe((before & 0o077) !== 0)
    expect(warnings).not.toContain('secret-')
  })

  it('leaves no temporary file when it cannot write', async () => {
    const { directory } = await inDirectory()
    await expect(writeEnvFile('A=1\n', join(directory, 'absent', '.env'))).rejects.toThrow('ENOENT')
    await expect(writeEnvFile('A=1\n', directory)).rejects.toThrow()
    expect(await readdir(directory)).toEqual([])
  })
})

function isUnwritable(value: string): boolean {
  const bare = value === value.trim() ? [value] : []
  const ways = [...bare, `'${value}'`, `"${value}"`, `\`${value}\``]
  return value.includes('\0') || ways.every((way) => parseEnv(`A=${way}\nB='"\`\n`).A !== value)
}

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}
