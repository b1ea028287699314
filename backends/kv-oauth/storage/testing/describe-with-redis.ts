import { describeWithPrograms } from './describe-with-programs.js'

/** `describe` for tests on a real redis-server. */
export const describeWithRedis = describeWithPrograms('redis-server', 'redis-cli')
