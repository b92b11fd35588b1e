"""Networks as users write them."""

import torch
from torch import nn
from torch.nn import functional


class Small(nn.Module):
    """Two convolutions, what they give overwritten in place, and two linear layers."""

    def __init__(self, classes, width=4):
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, stride=2)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(width, 2 * width, 3)
        self.norm = nn.BatchNorm2d(2 * width)
        self.hidden = nn.Linear(2 * width, 3 * width)
        self.top = nn.Linear(3 * width, classes)

    def forward(self, images):
        values = self.norm(self.second(self.act(self.first(images))))
        values = functional.relu(values, inplace=True).mean((2, 3))
        return self.top(torch.relu(self.hidden(values)))


class Dropping(Small):
    """Draws random numbers while it trains."""

    def forward(self, images):
        return super().forward(functional.dropout(images, training=self.training))


class TwoOutputs(Small):
    """Gives two things while it trains."""

    def forward(self, images):
        logits = super().forward(images)
        return (logits, logits) if self.training else logits


class Odd(Small):
    """Gives a map, and no logits."""

    def forward(self, images):
        return self.first(images)


class Overwritten(Small):
    """Overwrites what a convolution gives."""

    def forward(self, images):
        values = self.second(functional.relu(self.first(images), inplace=True))
        values = torch.relu(self.norm(values)).mean((2, 3))
        return self.top(torch.relu(self.hidden(values)))


class Picky(Small):
    """Does not take images of 48 px, and tells two classes apart at most."""

    def __init__(self, classes, width=4):
        if classes > 2:
            raise ValueError("two classes at most")
        super().__init__(classes, width)

    def forward(self, images):
        if images.shape[-1] == 48:
            raise ValueError("not 48")
        return super().forward(images)


class Stateless(Small):
    """Has a BatchNorm that keeps no statistics."""

    def __init__(self, classes, width=4):
        super().__init__(classes, width)
        self.norm = nn.BatchNorm2d(2 * width, track_running_stats=False)


class Flat(nn.Module):
    """Takes images of 32 to 35 px alone, as its linear layer reads 5 x 5 positions."""

    def __init__(self, classes):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 2, 5), nn.Conv2d(2, 4, 5)
        self.norm = nn.BatchNorm2d(4)
        self.hidden, self.top = nn.Linear(100, 6), nn.Linear(6, classes)

    def forward(self, images):
        values = torch.max_pool2d(torch.relu(self.first(images)), 2)
        values = torch.max_pool2d(torch.relu(self.norm(self.second(values))), 2)
        return self.top(torch.relu(self.hidden(values.flatten(1))))
