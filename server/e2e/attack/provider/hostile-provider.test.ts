import { afterAll } from 'vitest'
import { authorizationResponseCases } from './cases/authorization-response.js'
import { browserBindingCases } from './cases/browser-binding.js'
import { claimsCases } from './cases/claims.js'
import { configRpCases } from './cases/config-rp.js'
import { idTokenCases } from './cases/id-token.js'
import { logoutCases } from './cases/logout.js'
import { metadataCases } from './cases/metadata.js'
import { mixUpCases } from './cases/mix-up.js'
import { refreshTokenCases } from './cases/refresh-token.js'
import { tokenResponseCases } from './cases/token-response.js'
import { startScene } from './scene.js'

// One scene for all cases, because starting one costs more than twenty attacks.
const scene = await startScene()
afterAll(() => scene.close())

metadataCases(scene)
configRpCases(scene)
authorizationResponseCases(scene)
tokenResponseCases(scene)
idTokenCases(scene)
claimsCases(scene)
browserBindingCases(scene)
mixUpCases(scene)
refreshTokenCases(scene)
logoutCases(scene)
