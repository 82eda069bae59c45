// Protobuf's JSON of a state, printed and read without protobuf's detours.
#ifndef ZRS_SIDECAR_STORAGE_STATE_JSON_H_
#define ZRS_SIDECAR_STORAGE_STATE_JSON_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/zrs/v1/state.pb.h"

namespace zrs::storage {

// To the byte what MessageToJsonString prints with white space and all primitive fields, which takes twenty times as
// long: it describes the message's type anew for each print.
absl::StatusOr<std::string> StateToJson(const v1::StorageState& state);
// What JsonStringToMessage makes of it. It is asked where the text is not, to the byte, as StateToJson prints it: a
// person may have written that. InvalidArgument as it says, also for fields that nobody knows.
absl::Status StateFromJson(const std::string& json, v1::StorageState* state);
// The version that a text says, whatever fields it has that nobody knows; 0 where it is no state's at all.
uint32_t StateVersionInJson(const std::string& json);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATE_JSON_H_
