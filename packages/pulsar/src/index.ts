export {
  type BatchingOptions,
  type Compression,
  type Delivery,
  defaultPublisherOptions,
  type MessageId,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  type Transport,
} from "./publisher.ts";
