// Protobuf's JSON of a state, printed without protobuf's detours.
#ifndef ZRS_SIDECAR_STORAGE_STATE_JSON_H_
#define ZRS_SIDECAR_STORAGE_STATE_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/zrs/v1/state.pb.h"

namespace zrs::storage {

// To the byte what MessageToJsonString prints with white space and all primitive fields, which takes twenty times as
// long: it describes the message's type anew for each print.
absl::StatusOr<std::string> StateToJson(const v1::StorageState& state);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATE_JSON_H_
