/** One name and its value, as the protocol carries properties. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface AuthData {
  readonly method?: string | undefined;
  readonly data?: Uint8Array | undefined;
}

export interface FeatureFlags {
  readonly supportsAuthRefresh?: boolean | undefined;
  readonly supportsBrokerEntryMetadata?: boolean | undefined;
  readonly supportsPartialProducer?: boolean | undefined;
  readonly supportsTopicWatchers?: boolean | undefined;
  readonly supportsPartitionsWithoutAutoCreation?: boolean | undefined;
  readonly supportsReplDedupByPosition?: boolean | undefined;
}

export interface SchemaData {
  readonly name: string;
  readonly data: Uint8Array;
  readonly type: number;
  readonly properties?: readonly KeyValue[] | undefined;
}

export interface MessageIdData {
  readonly ledgerId: bigint;
  readonly entryId: bigint;
  readonly partition?: number | undefined;
  readonly batchIndex?: number | undefined;
}

/**
 * The control commands we send or understand, by name.
 *
 * Fields that we have no use for are left out: skipped when read.
 */
export interface Commands {
  readonly connect: {
    readonly clientVersion: string;
    readonly authData?: Uint8Array | undefined;
    readonly protocolVersion?: number | undefined;
    readonly authMethodName?: string | undefined;
    readonly proxyToBrokerUrl?: string | undefined;
    readonly featureFlags?: FeatureFlags | undefined;
  };
  readonly connected: {
    readonly serverVersion: string;
    readonly protocolVersion?: number | undefined;
    readonly maxMessageSize?: number | undefined;
    readonly featureFlags?: FeatureFlags | undefined;
  };
  readonly subscribe: {
    readonly topic: string;
    readonly subscription: string;
    readonly type: number;
    readonly consumerId: number;
    readonly requestId: number;
    readonly consumerName?: string | undefined;
    readonly durable?: boolean | undefined;
    readonly startMessageId?: MessageIdData | undefined;
    readonly initialPosition?: number | undefined;
    readonly forceTopicCreation?: boolean | undefined;
  };
  readonly producer: {
    readonly topic: string;
    readonly producerId: number;
    readonly requestId: number;
    readonly producerName?: string | undefined;
    readonly encrypted?: boolean | undefined;
    readonly metadata?: readonly KeyValue[] | undefined;
    readonly schema?: SchemaData | undefined;
    readonly epoch?: number | undefined;
    readonly userProvidedProducerName?: boolean | undefined;
    readonly accessMode?: number | undefined;
    readonly topicEpoch?: number | undefined;
    readonly transactional?: boolean | undefined;
  };
  readonly sendError: {
    readonly producerId: number;
    readonly sequenceId: number;
    readonly error: number;
    readonly message: string;
  };
  readonly message: {
    readonly consumerId: number;
    readonly messageId: MessageIdData;
  };
  readonly flow: {
    readonly consumerId: number;
    readonly messagePermits: number;
  };
  readonly success: {
    readonly requestId: number;
  };
  readonly error: {
    readonly requestId: number;
    readonly error: number;
    readonly message: string;
  };
  readonly closeProducer: {
    readonly producerId: number;
    readonly requestId: number;
    readonly brokerServiceUrl?: string | undefined;
    readonly brokerServiceUrlTls?: string | undefined;
  };
  readonly closeConsumer: {
    readonly consumerId: number;
    readonly requestId: number;
  };
  readonly producerSuccess: {
    readonly requestId: number;
    readonly producerName: string;
    readonly lastSequenceId?: number | undefined;
    readonly schemaVersion?: Uint8Array | undefined;
    readonly topicEpoch?: number | undefined;
    readonly producerReady?: boolean | undefined;
  };
  readonly ping: object;
  readonly pong: object;
  readonly partitionedMetadata: {
    readonly topic: string;
    readonly requestId: number;
    readonly autoCreate?: boolean | undefined;
  };
  readonly partitionedMetadataResponse: {
    readonly partitions?: number | undefined;
    readonly requestId: number;
    readonly response?: number | undefined;
    readonly error?: number | undefined;
    readonly message?: string | undefined;
  };
  readonly lookup: {
    readonly topic: string;
    readonly requestId: number;
    readonly authoritative?: boolean | undefined;
    readonly listenerName?: string | undefined;
  };
  readonly lookupResponse: {
    readonly brokerServiceUrl?: string | undefined;
    readonly brokerServiceUrlTls?: string | undefined;
    readonly response?: number | undefined;
    readonly requestId: number;
    readonly authoritative?: boolean | undefined;
    readonly error?: number | undefined;
    readonly message?: string | undefined;
    readonly proxyThroughServiceUrl?: boolean | undefined;
  };
  readonly authChallenge: {
    readonly serverVersion?: string | undefined;
    readonly challenge?: AuthData | undefined;
    readonly protocolVersion?: number | undefined;
  };
  readonly authResponse: {
    readonly clientVersion?: string | undefined;
    readonly response?: AuthData | undefined;
    readonly protocolVersion?: number | undefined;
  };
  readonly topicMigrated: {
    readonly resourceId: number;
    readonly resourceType: number;
    readonly brokerServiceUrl?: string | undefined;
    readonly brokerServiceUrlTls?: string | undefined;
  };
}

export type CommandName = keyof Commands;
/** A command with its name, as a union that a switch can tell apart. */
export type NamedCommand = {
  [N in CommandName]: { readonly name: N; readonly fields: Commands[N] };
}[CommandName];
