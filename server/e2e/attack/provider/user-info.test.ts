import { afterAll } from 'vitest'
import { basicRpCases } from './cases/basic-rp.js'
import { userInfoCases } from './cases/user-info.js'
import { startScene } from './scene.js'

// A provider whose id_token says who it is and no more, so that the user info is asked for.
const scene = await startScene({ claimsOnlyAtUserInfo: true })
afterAll(() => scene.close())

basicRpCases(scene)
userInfoCases(scene)
