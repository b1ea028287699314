import type * as contract from '@netscript/auth-contract'
import type * as wire from './wire.js'

// Compiled by `npm run check`, never run: the generated types are those of the contract's schemas.

type Same<A, B> = [A, B] extends [B, A] ? true : false
type All<T extends true[]> = T

export type Checked = All<
  [
    Same<wire.AccountsResponse, contract.AccountsResponse>,
    Same<wire.AuthSession, contract.AuthSession>,
    Same<wire.AuthUser, contract.AuthUser>,
    Same<wire.CallbackQuery, contract.CallbackQuery>,
    Same<wire.CallbackResponse, contract.CallbackResponse>,
    Same<wire.DeletedResponse, contract.DeletedResponse>,
    Same<wire.DescribeResponse, contract.DescribeResponse>,
    Same<wire.LinkedAccount, contract.LinkedAccount>,
    Same<wire.MeResponse, contract.MeResponse>,
    Same<wire.RevokedResponse, contract.RevokedResponse>,
    Same<wire.SessionResponse, contract.SessionResponse>,
    Same<wire.SessionsQuery, contract.SessionsQuery>,
    Same<wire.SessionsResponse, contract.SessionsResponse>,
    Same<wire.SigninInput, contract.SigninInput>,
    Same<wire.SigninResponse, contract.SigninResponse>,
    Same<wire.SignoutInput, contract.SignoutInput>,
    Same<wire.SignoutResponse, contract.SignoutResponse>,
    Same<wire.StoredUser, contract.StoredUser>,
    Same<wire.TokenInput, contract.TokenInput>,
    Same<wire.TokenResponse, contract.TokenResponse>,
    Same<wire.UnlinkedResponse, contract.UnlinkedResponse>,
  ]
>
