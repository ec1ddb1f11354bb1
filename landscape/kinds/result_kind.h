// The kinds of results, and how a file of each is recognised and read.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

class Hdf5File;

/// A file to be recognised.
struct ResultFile {
  std::string begin;               ///< its first bytes
  const Hdf5File* hdf5 = nullptr;  ///< nullptr if it is not HDF5
  Provenance attributes;           ///< attributes of hdf5
};

struct ResultKind {
  std::string name;    ///< "surface": Record::kind
  std::string phrase;  ///< "a surface"
  bool (*recognises)(const ResultFile&);
  Record (*load)(const std::string& path);
};

/// Returns all kinds, in the order in which they are tried on a file. A new kind of result is added
/// here.
const std::vector<ResultKind>& result_kinds();

/// Returns the kind by the file's contents, whatever its name. Throws Error, one line, for a file
/// that is no result: absent, truncated, a checkpoint, directions, another program's.
const ResultKind& kind_of_result(const std::string& path);

/// Reads a result of any kind. Throws Error like kind_of_result(), and if the file is damaged.
Record load_record(const std::string& path);

/// Reads all results of a file: a report's page and a list of records in JSON have several. Records
/// of a page without the name of their own file get the page's. Throws Error like load_record().
std::vector<Record> load_records(const std::string& path);

/// Returns a kind's phrase ("a surface"); "a result of the kind 'x'" for an unknown kind x.
std::string phrase_of(const std::string& kind);
/// Returns what a result is, in words: of a surface what it is one of, by its axes and its
/// provenance: "a line between networks", "a trajectory's surface", "a map of the curvature"; of other
/// kinds phrase_of(kind).
std::string phrase_of(const Record& record);

}  // namespace topograd
