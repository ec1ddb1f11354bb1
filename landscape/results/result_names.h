// What networks and their results are called, and where results go.
#pragma once

#include <string>

#include "landscape/results/provenance.h"

namespace topograd {

/// Returns what to call the network of a checkpoint: the file's name without its ending; of those
/// that every training writes (model, best, last, ema, swa, epoch_<n>) the folder's, too:
/// runs/wide/model.safetensors is "wide", runs/wide/epoch_3.safetensors "wide epoch_3"; of one in
/// memory its label.
std::string network_name(const std::string& path);

/// Returns the title of a result: what to call its network, else what kind of network it is.
std::string title_of(const Provenance& provenance);

/// Returns where a command puts a result without --output: beside the file it is made of, with the
/// kind behind its name: runs/wide/model_surface.h5.
std::string result_beside(const std::string& path, const std::string& kind);

}  // namespace topograd
