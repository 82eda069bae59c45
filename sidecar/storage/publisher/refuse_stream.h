// Answers a follower with an End before any session exists.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_REFUSE_STREAM_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_REFUSE_STREAM_H_

#include <memory>

#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Starts `stream`, sends `end` and closes. Any thread; returns at once. The stream lives until that is done.
void RefuseStream(std::shared_ptr<transport::PublisherStream> stream, v1::End end);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_REFUSE_STREAM_H_
