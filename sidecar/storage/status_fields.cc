#include "sidecar/storage/status_fields.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "filestorage/format.h"
#include "filestorage/timestamp.h"
#include "sidecar/text/printable.h"

namespace zrs::storage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void CleanText(const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (!field.is_repeated()) {
    return reflection.SetString(message, &field, text::Clean(reflection.GetString(*message, &field)));
  }
  for (int i = 0; i < reflection.FieldSize(*message, &field); ++i) {
    const std::string clean = text::Clean(reflection.GetRepeatedString(*message, &field, i));
    reflection.SetRepeatedString(message, &field, i, clean);
  }
}

void CleanParts(const FieldDescriptor& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (!field.is_repeated()) return CleanTexts(reflection.MutableMessage(message, &field));
  for (int i = 0; i < reflection.FieldSize(*message, &field); ++i) {
    CleanTexts(reflection.MutableRepeatedMessage(message, &field, i));
  }
}

}  // namespace

void CleanTexts(Message* message) {
  std::vector<const FieldDescriptor*> present;
  message->GetReflection()->ListFields(*message, &present);
  for (const FieldDescriptor* field : present) {
    if (field->type() == FieldDescriptor::TYPE_STRING) CleanText(*field, message);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) CleanParts(*field, message);
  }
}

void FillPosition(const filestorage::Boundary& end, v1::StorageStatus& status) {
  status.set_committed_end(end.offset);
  if (end.tid == 0) return;
  status.set_last_tid(filestorage::TidHex(end.tid));
  if (const auto time = filestorage::Rfc3339FromTid(end.tid); time.ok()) status.set_last_tid_time(*time);
}

void FillProgress(const Work& work, v1::Progress& progress) {
  progress.set_bytes(work.done);
  progress.set_total(std::max(work.total, work.done));
  const double seconds = absl::ToDoubleSeconds(work.elapsed);
  if (work.done <= work.start || seconds <= 0) return;
  const double rate = static_cast<double>(work.done - work.start) / seconds;
  progress.set_rate(rate);
  progress.set_seconds_left(static_cast<double>(progress.total() - work.done) / rate);
}

}  // namespace zrs::storage
