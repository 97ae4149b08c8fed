"""The CIFAR ResNets against the paper's description written as torch modules (He et al. 2015, section 4.2)."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.runtime.modules import build_module


class _Block(nn.Module):
    def __init__(self, in_planes: int, planes: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.option, self.planes = option, planes
        if stride != 1 and option == "B":
            self.shortcut = nn.Sequential(nn.Conv2d(in_planes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.option == "none":
            return F.relu(out)
        if x.shape == out.shape:
            return F.relu(out + x)
        if self.option == "B":
            return F.relu(out + self.shortcut(x))
        quarter = self.planes // 4
        return F.relu(out + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter)))


class _ResNet(nn.Module):
    def __init__(self, blocks: int, option: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[_Block(16, 16, 1, option) for _ in range(blocks)])
        self.layer2 = nn.Sequential(*[_Block(32 if i else 16, 32, 1 if i else 2, option) for i in range(blocks)])
        self.layer3 = nn.Sequential(*[_Block(64 if i else 32, 64, 1 if i else 2, option) for i in range(blocks)])
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        logits: Tensor = self.linear(F.adaptive_avg_pool2d(out, 1).flatten(1))
        return logits


@pytest.mark.parametrize(
    ("network", "blocks", "option"),
    [
        ("resnet20", 3, "A"),
        ("resnet20-b", 3, "B"),
        ("plain20", 3, "none"),
        ("resnet56", 9, "A"),
        ("plain56", 9, "none"),
    ],
)
def test_outputs_and_names_are_the_papers(network: str, blocks: int, option: str) -> None:
    theirs = _ResNet(blocks, option).eval()
    for name, buffer in theirs.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(len(name)))
    ours = build_module(zoo.entry(network).build()).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))
