#include "sidecar/storage/role.h"

#include "sidecar/storage/state_file.h"

namespace zrs::storage {

bool WasPromoted(filestorage::FileSystem& file_system, const std::string& state_path, const std::string& upstream) {
  const auto state = StateFile(file_system, state_path).Load();
  return state.ok() && state->has_value() && (*state)->role == "primary" && (*state)->promoted_from == upstream;
}

}  // namespace zrs::storage
