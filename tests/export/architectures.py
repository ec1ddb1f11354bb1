"""Networks as users write them in PyTorch: what apps/export_torch.py is tested with.

Small forms of published networks, for images of CIFAR's size, in the many styles in which such programs are found:
functions of torch.nn.functional and modules, views of several kinds, operations in place, lists of modules, branches
on shapes. Narrow, so that the references in double precision take moments.

ARCHITECTURES: names, and for each what makes the module and the image (height, width, channels) that it takes.
"""

from functools import partial

from networks import attentive, branches, enlarging, joined, mobile, plain, residual, searched, tokens

CIFAR, MNIST = (32, 32, 3), (28, 28, 1)

ARCHITECTURES = {
    "lenet_tanh": (plain.LeNet5, MNIST),
    "mnist_example": (plain.MnistExample, MNIST),
    "alexnet_not_square": (plain.AlexNet, (24, 40, 3)),
    "vgg": (plain.VGG, CIFAR),
    "network_in_network": (plain.NetworkInNetwork, CIFAR),
    "all_convolutional": (plain.AllConvolutional, CIFAR),
    "dropout": (plain.WithDropout, CIFAR),
    "perceptron": (plain.Perceptron, (8, 8, 3)),
    "resnet": (residual.resnet, CIFAR),
    "resnet_not_square": (residual.resnet, (24, 40, 3)),
    "resnet_grey": (residual.resnet_grey, MNIST),
    "resnet_d": (residual.resnet_d, (33, 31, 3)),
    "resnet_group_norm": (residual.resnet_group_norm, CIFAR),
    "resnet_instance_norm": (residual.resnet_instance_norm, CIFAR),
    "stochastic_depth_resnet": (residual.stochastic_depth_resnet, CIFAR),
    "wide_resnet_option_a": (residual.WideResNet, CIFAR),
    "preact_resnet": (residual.PreActResNet, CIFAR),
    "resnext": (residual.resnext, CIFAR),
    "se_resnet": (residual.SEResNet, CIFAR),
    "pyramidnet": (residual.PyramidNet, CIFAR),
    "res2net": (residual.Res2Net, CIFAR),
    "recurrent_resnet": (residual.RecurrentResNet, CIFAR),
    "dpn": (joined.DPN, CIFAR),
    "dla": (joined.DLA, CIFAR),
    "densenet": (joined.DenseNet, CIFAR),
    "repvgg": (joined.RepVGG, CIFAR),
    "cbam": (joined.CBAMNet, CIFAR),
    "squeezenet": (branches.SqueezeNet, CIFAR),
    "googlenet": (branches.GoogLeNet, CIFAR),
    "inception_v3": (branches.InceptionV3, CIFAR),
    "xception": (branches.Xception, CIFAR),
    "mobilenet_v1": (mobile.MobileNetV1, CIFAR),
    "mobilenet_v2": (mobile.MobileNetV2, CIFAR),
    "mobilenet_v3": (mobile.MobileNetV3, CIFAR),
    "mobilenet_v3_hard": (mobile.MobileNetV3Hard, CIFAR),
    "shufflenet_v1": (mobile.ShuffleNetV1, CIFAR),
    "shufflenet_v2": (mobile.ShuffleNetV2, CIFAR),
    "shufflenet_v2_split": (mobile.ShuffleNetV2Split, CIFAR),
    "ghostnet": (mobile.GhostNet, CIFAR),
    "efficientnet": (searched.EfficientNet, CIFAR),
    "efficientnet_drop_path": (searched.EfficientNetDropPath, CIFAR),
    "efficientnet_same": (searched.EfficientNetSame, CIFAR),
    "regnet_x": (searched.RegNet, CIFAR),
    "regnet_y": (partial(searched.RegNet, se_ratio=0.5), CIFAR),
    "nasnet": (searched.NASNet, CIFAR),
    "pnasnet": (searched.PNASNet, CIFAR),
    "unet_bilinear": (partial(enlarging.UNet, bilinear=True), CIFAR),
    "unet_transposed": (partial(enlarging.UNet, bilinear=False), CIFAR),
    "unet_nearest": (enlarging.UNetNearest, CIFAR),
    "hrnet": (enlarging.HRNet, CIFAR),
    "convnext": (tokens.ConvNeXt, CIFAR),
    "convnext_permuted": (tokens.ConvNeXtPermuted, CIFAR),
    "convnext_spelled": (tokens.ConvNeXtSpelled, CIFAR),
    "convmixer": (tokens.ConvMixer, CIFAR),
    "mlp_mixer": (tokens.MLPMixer, CIFAR),
    "resmlp": (tokens.ResMLP, CIFAR),
    "gmlp": (tokens.GMLP, CIFAR),
    "poolformer": (tokens.PoolFormer, CIFAR),
    "van": (tokens.VAN, CIFAR),
    "attention_modules": (attentive.attention_modules, (16, 24, 3)),
    "residual_attention": (attentive.residual_attention, CIFAR),
    "fractal_maxout": (attentive.FractalMaxout, CIFAR),
    "alexnet_lrn": (attentive.OldAlexNet, CIFAR),
    "convnext_v2": (attentive.ConvNeXtV2, CIFAR),
    "vision_transformer": (attentive.VisionTransformer, CIFAR),
}
