/** Who a call is from, as its signature says; the signature itself is not checked. */
export interface Caller {
  readonly accessKeyId: string;
  readonly region: string;
}

const anyone: Caller = { accessKeyId: "AKIAANYONE", region: "us-east-1" };

/** @param authorization `… Credential=AKIA…/20260101/us-east-1/kinesis/aws4_request, …` */
export function callerOf(authorization: string | undefined): Caller {
  const [, accessKeyId, region] = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(authorization ?? "") ?? [];
  return accessKeyId === undefined || region === undefined ? anyone : { accessKeyId, region };
}
