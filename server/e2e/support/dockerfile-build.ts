import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast'

const run = promisify(execFile)

/** What a Dockerfile makes, in directories instead of an image. */
export interface Built {
  /** Where the last stage has its `WORKDIR`. */
  readonly directory: string
  readonly user?: string
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly healthcheck: readonly string[]
}

interface Stage {
  root: string
  workdir: string
  user?: string
  env: Record<string, string>
  command: readonly string[]
  healthcheck: readonly string[]
}

/**
 * Does what `docker build` would do with the Dockerfile of `context`, step by step, where there is no
 * Docker: the base image is this machine. Only `npm ci` with development dependencies is replaced by
 * those that are installed already, from the same lockfile.
 */
export async function buildDockerfile(context: string, target: string): Promise<Built> {
  const file = DockerfileParser.parse(await readFile(join(context, 'Dockerfile'), 'utf8'))
  const included = await includedNames(context)
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const instruction of file.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const name = (instruction as From).getBuildStage() ?? LAST
      stage = { root: join(target, name), workdir: '/', env: {}, command: [], healthcheck: [] }
      stages.set(name, stage)
    } else if (stage) {
      const step = STEPS[instruction.getKeyword()]
      if (!step) throw new Error(`${instruction.getKeyword()} is not known here.`)
      await step({ stage, stages, context, included, instruction })
    }
  }
  const last = stages.get(LAST)
  if (!last) throw new Error('The Dockerfile has no last stage without a name.')
  return { ...last, directory: inside(last) }
}

const LAST = 'last'

interface Step {
  stage: Stage
  stages: ReadonlyMap<string, Stage>
  context: string
  included: readonly string[]
  instruction: Instruction
}

const argumentsOf = (instruction: Instruction): string[] =>
  instruction.getArguments().map((argument) => argument.getValue())

const STEPS: Readonly<Record<string, (step: Step) => void | Promise<void>>> = {
  async WORKDIR({ stage, instruction }) {
    stage.workdir = argumentsOf(instruction)[0] ?? '/'
    await mkdir(inside(stage), { recursive: true })
  },
  COPY(step) {
    const args = argumentsOf(step.instruction)
    const from = fromOf(step.instruction as Copy)
    return from === undefined
      ? copyContext(step, args)
      : copyFrom(step.stages.get(from), step.stage, args)
  },
  RUN: (step) => runIn(step, step.instruction.getArgumentsContent() ?? ''),
  ENV({ stage, instruction }) {
    Object.assign(
      stage.env,
      Object.fromEntries(argumentsOf(instruction).map((pair) => pair.split('=', 2))),
    )
  },
  USER({ stage, instruction }) {
    stage.user = argumentsOf(instruction)[0] ?? ''
  },
  EXPOSE() {},
  CMD({ stage, instruction }) {
    stage.command = commandOf(instruction)
  },
  HEALTHCHECK({ stage, instruction }) {
    stage.healthcheck = commandOf(instruction)
  },
}

const inside = ({ root, workdir }: Stage): string => join(root, workdir)

const fromOf = (copy: Copy): string | undefined =>
  copy
    .getFlags()
    .find((flag) => flag.getName() === 'from')
    ?.getValue() ?? undefined

/** The command in its JSON form, which no shell reads. */
function commandOf(instruction: Instruction): string[] {
  const [json] = /\[.*\]/s.exec(instruction.getArgumentsContent() ?? '') ?? []
  if (json === undefined) throw new Error(`${instruction.getKeyword()} has no command in JSON.`)
  return JSON.parse(json) as string[]
}

/** The .dockerignore begins with nothing and names what is included, at the top level. */
async function includedNames(context: string): Promise<string[]> {
  const text = await readFile(join(context, '.dockerignore'), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  if (lines[0] !== '*') throw new Error('The .dockerignore does not begin with *.')
  return lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
}

async function copyContext(
  { context, included, stage }: Step,
  args: readonly string[],
): Promise<void> {
  const [sources, target] = [args.slice(0, -1), args.at(-1) ?? '']
  for (const source of sources.flatMap((one) => (one === '.' ? included : [one]))) {
    if (!included.includes(source.split('/', 1)[0] ?? '')) {
      throw new Error(`${source} is not in the build context.`)
    }
    await cp(join(context, source), join(inside(stage), target, basename(source)), {
      recursive: true,
      filter: (path) => !/(prisma|pages)\/generated/.test(path),
    })
  }
}

/** Hard links: the dependencies are many. */
async function copyFrom(
  from: Stage | undefined,
  stage: Stage,
  [source = '', target = '']: readonly string[],
): Promise<void> {
  if (!from) throw new Error(`${source} is copied from a stage that does not exist.`)
  const path = join(from.root, source)
  if (!(await stat(path)).isDirectory()) throw new Error(`${source} is no directory.`)
  await run('cp', ['-al', path, join(inside(stage), target)])
}

async function runIn({ stage, context }: Step, command: string): Promise<void> {
  const cwd = inside(stage)
  if (/^npm ci\b/.test(command) && !command.includes('--omit=dev')) {
    return symlink(join(context, 'node_modules'), join(cwd, 'node_modules'))
  }
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...stage.env }
  await run('sh', ['-c', command], {
    cwd,
    env: { ...env, npm_config_prefer_offline: 'true' },
    maxBuffer: 64 * 1024 * 1024,
  })
}
