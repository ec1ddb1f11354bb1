"""Why an operator of ONNX is not taken. Part of export_torch.py."""

QUANTISED = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
             "MatMulInteger", "ConvInteger"}
REFUSALS = {
    "Softmax": "softmax is no operation of a graph, but at the end of the network, where the loss computes it",
    "LogSoftmax": "log_softmax is no operation of a graph, but at the end of the network, where the loss computes it",
    "Loop": "loops are no operations of a graph: export it with fixed sizes",
    "Scan": "loops are no operations of a graph: export it with fixed sizes",
    "Attention": "attention is no operation of a graph",
    "LRN": "local response normalisation is no operation of a graph",
    "Sqrt": "a square root that is no LayerNorm's",
    "Exp": "exp that is part of no activation function that is known",
    "Erf": "erf that is part of no GELU",
    "RandomUniformLike": "random numbers: export the network in evaluation mode",
    "RandomNormalLike": "random numbers: export the network in evaluation mode",
    "Bernoulli": "random numbers: export the network in evaluation mode",
}


def refusal_of(op):
    if op in QUANTISED or op.split(".")[-1].startswith("QLinear"):
        return "the network is quantised: export it in floating point, before quantisation"
    return REFUSALS.get(op) or (f"{op} is no operator that is taken here: docs/own-network.md lists those that are")
