#include "landscape/coherence/coherence_results.h"

#include "kernels/core/atomic_file.h"
#include "kernels/core/streams.h"
#include "landscape/results/hdf5_file.h"

namespace topograd {

const std::array<CoherenceQuantity, 9> kCoherenceQuantities = {{
    {"gradient_norm", &CoherenceStatistics::gradient_norm},
    {"batch_gradient_norm", &CoherenceStatistics::batch_gradient_norm},
    {"cosine", &CoherenceStatistics::cosine},
    {"cosine_se", &CoherenceStatistics::cosine_se},
    {"cosine_min", &CoherenceStatistics::cosine_min},
    {"inner_product_min", &CoherenceStatistics::inner_product_min},
    {"snr", &CoherenceStatistics::snr},
    {"snr_se", &CoherenceStatistics::snr_se},
    {"noise_scale", &CoherenceStatistics::noise_scale},
}};

namespace {

std::vector<std::string> lines_of(const std::string& joined) {
  std::vector<std::string> lines;
  TextReader in(joined);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

/// Returns a column of numbers, one a row.
template <class Rows, class Value>
void write_column(Hdf5File& file, const std::string& name, const Rows& rows, const Value& value) {
  std::vector<double> column;
  for (const auto& row : rows) column.push_back(value(row));
  file.write(name, column.data(), {static_cast<int64_t>(column.size())});
}

template <class Rows, class Assign>
void read_column(const Hdf5File& file, const std::string& name, Rows& rows, const Assign& assign) {
  const std::vector<double> column = file.read<double>(name);
  require(column.size() == rows.size(), file.path(), ": ", name, " has ", column.size(),
          " values, expected ", rows.size());
  for (size_t k = 0; k < rows.size(); ++k) assign(rows[k], column[k]);
}

std::string group(size_t row) {
  return text("model", row, "/");
}

void write_row(Hdf5File& file, const std::string& in, const CoherenceRow& row) {
  file.write_text(in + "name", row.model_name);
  file.write_text(in + "file", row.model_file);
  file.write_text(in + "model_hash", row.model_hash);
  file.write_text(in + "data_hash", row.data_hash);
  const GramMatrix& gram = row.coherence.gram;
  file.write(in + "gram", gram.values.data(), {gram.n, gram.n});
  file.write_text(in + "layers/names", joined(row.layers));
  for (const auto& [name, member] : kCoherenceQuantities)
    write_column(file, in + "layers/" + name, row.coherence.layers,
                 [member = member](const CoherenceStatistics& s) { return s.*member; });
}

CoherenceRow read_row(const Hdf5File& file, const std::string& in) {
  CoherenceRow row;
  row.model_name = file.read_text(in + "name");
  row.model_file = file.read_text(in + "file");
  row.model_hash = file.read_text(in + "model_hash");
  row.data_hash = file.read_text(in + "data_hash");
  const Shape shape = file.shape(in + "gram");
  require(shape.rank() == 2 && shape[0] == shape[1], file.path(), ": ", in, "gram is ", shape);
  row.coherence.gram.n = shape[0];
  row.coherence.gram.values = file.read<double>(in + "gram");
  row.layers = lines_of(file.read_text(in + "layers/names"));
  row.coherence.layers.resize(row.layers.size());
  for (const auto& [name, member] : kCoherenceQuantities)
    read_column(file, in + "layers/" + name, row.coherence.layers,
                [member = member](CoherenceStatistics& s, double value) { s.*member = value; });
  return row;
}

/// Returns the quantity that is the standard error of another; nothing where there is none.
std::string error_of(const std::string& name) {
  return name == "cosine" || name == "snr" ? name + "_se" : "";
}

void add_layers(Record& record, const std::string& in, const CoherenceRow& row) {
  const GramMatrix& gram = row.coherence.gram;
  record.add({.name = in + "gram",
              .shape = {gram.n, gram.n},
              .numbers = gram.values,
              .axes = {in + "batch", in + "batch"}});
  const std::string layers = in + "layers/", axis = layers + "names";
  record.add_words(axis, axis, row.layers);
  for (const auto& [name, member] : kCoherenceQuantities) {
    std::vector<double> values;
    for (const CoherenceStatistics& layer : row.coherence.layers) values.push_back(layer.*member);
    const std::string error = error_of(name);
    record.add_series(layers + name, axis, values).error = error.empty() ? "" : layers + error;
  }
}

}  // namespace

void CoherenceResults::save(const std::string& path) const {
  write_file_atomically(path, [&](const std::string& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    if (!rows.empty()) {
      write_column(file, "epoch", rows, [](const CoherenceRow& row) { return row.epoch; });
      write_column(file, "loss", rows, [](const CoherenceRow& row) { return row.coherence.loss; });
      write_column(file, "accuracy", rows,
                   [](const CoherenceRow& row) { return row.coherence.accuracy; });
      for (const auto& [name, member] : kCoherenceQuantities)
        write_column(file, name, rows, [member = member](const CoherenceRow& row) {
          return row.coherence.all.*member;
        });
    }
    for (size_t k = 0; k < rows.size(); ++k) write_row(file, group(k), rows[k]);
    for (const auto& [key, value] : provenance) file.set_attribute(key, value);
    file.close();
  });
}

CoherenceResults CoherenceResults::load(const std::string& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  CoherenceResults results;
  results.provenance = file.attributes();
  require(results.provenance.contains("batches"), path, " is not a file of landscape coherence");
  while (file.has(group(results.rows.size()) + "name"))
    results.rows.push_back(read_row(file, group(results.rows.size())));
  if (results.rows.empty()) return results;
  read_column(file, "epoch", results.rows, [](CoherenceRow& row, double v) { row.epoch = v; });
  read_column(file, "loss", results.rows,
              [](CoherenceRow& row, double v) { row.coherence.loss = v; });
  read_column(file, "accuracy", results.rows,
              [](CoherenceRow& row, double v) { row.coherence.accuracy = v; });
  for (const auto& [name, member] : kCoherenceQuantities)
    read_column(file, name, results.rows,
                [member = member](CoherenceRow& row, double v) { row.coherence.all.*member = v; });
  return results;
}

Record CoherenceResults::record() const {
  Record record{"coherence", rows.empty() ? "" : rows.front().model_name, provenance, {"network"}};
  const auto add_column = [&](const std::string& name, const auto& value) {
    std::vector<double> column;
    for (const CoherenceRow& row : rows) column.push_back(value(row));
    record.add_series(name, "network", column).error = error_of(name);
  };
  const auto add_words = [&](const std::string& name, std::string CoherenceRow::*member) {
    std::vector<std::string> column;
    for (const CoherenceRow& row : rows) column.push_back(row.*member);
    record.add_words(name, "network", column);
  };
  add_words("name", &CoherenceRow::model_name);
  add_words("file", &CoherenceRow::model_file);
  add_column("epoch", [](const CoherenceRow& row) { return row.epoch; });
  add_column("loss", [](const CoherenceRow& row) { return row.coherence.loss; });
  add_column("accuracy", [](const CoherenceRow& row) { return row.coherence.accuracy; });
  for (const auto& [name, member] : kCoherenceQuantities)
    add_column(name,
               [member = member](const CoherenceRow& row) { return row.coherence.all.*member; });
  add_words("model_hash", &CoherenceRow::model_hash);
  add_words("data_hash", &CoherenceRow::data_hash);
  for (size_t k = 0; k < rows.size(); ++k) add_layers(record, group(k), rows[k]);
  return record;
}

}  // namespace topograd
