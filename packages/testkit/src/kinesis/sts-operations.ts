import type { OperationContext } from "./operation-context.ts";
import { validationError } from "./service-error.ts";

/** AWS: how long the credentials of a role may last. */
const defaultSeconds = 3_600;
const leastSeconds = 900;
const mostSeconds = 43_200;

/** The role that the caller's key was given for; any other key is some user's. */
export function getCallerIdentity(context: OperationContext): unknown {
  const { caller, ledger, model } = context;
  const { accountId } = model;
  const role = ledger.assumedRoles.findLast(({ accessKeyId }) => accessKeyId === caller.accessKeyId);
  if (role === undefined) {
    return { Arn: `arn:aws:iam::${accountId}:user/test`, UserId: caller.accessKeyId, Account: accountId };
  }
  return { ...assumedUser(role.roleArn, role.sessionName), Account: accountOf(role.roleArn) };
}

/**
 * Gives everyone every role, under keys that it tells apart afterwards.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export function assumeRole(context: OperationContext): unknown {
  const { fields, caller, ledger, nowMs } = context;
  const roleArn = fields.string("RoleArn");
  const sessionName = fields.string("RoleSessionName");
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(roleArn)) {
    throw validationError("roleArn", roleArn, "Member must be the ARN of a role");
  }
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw validationError(
      "roleSessionName",
      sessionName,
      "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    );
  }
  const expiresMs = nowMs + durationSeconds(context) * 1_000;
  const accessKeyId = `ASIA${String(ledger.assumedRoles.length).padStart(16, "0")}`;
  ledger.addRole({
    roleArn,
    sessionName,
    by: caller.accessKeyId,
    region: caller.region,
    accessKeyId,
    expiresMs,
  });
  const { Arn, UserId } = assumedUser(roleArn, sessionName);
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: `secret of ${accessKeyId}`,
      SessionToken: `token of ${accessKeyId}`,
      Expiration: new Date(expiresMs).toISOString(),
    },
    AssumedRoleUser: { AssumedRoleId: UserId, Arn },
  };
}

/** In a form everything is text. */
function durationSeconds({ fields }: OperationContext): number {
  const text = fields.optionalString("DurationSeconds") ?? String(defaultSeconds);
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
  throw validationError(
    "durationSeconds",
    text,
    `Member must have value between ${leastSeconds} and ${mostSeconds}`,
  );
}

function assumedUser(roleArn: string, sessionName: string) {
  const role = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  return {
    Arn: `arn:aws:sts::${accountOf(roleArn)}:assumed-role/${role}/${sessionName}`,
    UserId: `AROATEST:${sessionName}`,
  };
}

function accountOf(roleArn: string): string {
  return roleArn.split(":")[4] ?? "";
}
