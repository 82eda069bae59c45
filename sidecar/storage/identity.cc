#include "sidecar/storage/identity.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "sidecar/replication/lineage.h"

namespace zrs::storage {

std::string RandomId(runtime::Runtime& runtime) {
  return absl::StrCat(filestorage::EncodeUint64(runtime.Random()), filestorage::EncodeUint64(runtime.Random()));
}

v1::Lineage NewLineage(runtime::Runtime& runtime) {
  v1::Lineage lineage;
  lineage.set_database_id(RandomId(runtime));
  v1::Epoch* epoch = lineage.add_epochs();
  epoch->set_id(RandomId(runtime));
  epoch->set_origin(v1::Epoch::ORIGIN_FIRST);
  epoch->set_generation(1);
  return lineage;
}

void FillIdentity(const v1::Lineage& lineage, v1::StorageStatus& status) {
  const v1::Epoch* epoch = replication::CurrentEpoch(lineage);
  if (epoch == nullptr) return;
  status.set_database_id(absl::BytesToHexString(lineage.database_id()));
  status.set_epoch(absl::BytesToHexString(epoch->id()));
  status.set_generation(epoch->generation());
}

}  // namespace zrs::storage
